-- Logo's own totals a month, of one period.
SELECT G."YEAR_" * 100 + G."MONTH_" AS "AY", SUM(CAST(G."DEBIT" AS DECIMAL(28, 6))) AS "BORC",
       SUM(CAST(G."CREDIT" AS DECIMAL(28, 6))) AS "ALACAK"
FROM $month_totals G JOIN $cards C ON C."LOGICALREF" = G."CARDREF"
WHERE G."TOTTYP" = 1 AND C."CARDTYPE" NOT IN (4, 22) AND C."CODE" LIKE '$prefix%'
GROUP BY G."YEAR_" * 100 + G."MONTH_"
ORDER BY 1
