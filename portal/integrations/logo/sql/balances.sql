-- Logo's own totals of the newest period, which begins with the older ones' balance.
SELECT C."CODE", SUM(CAST(G."DEBIT" AS DECIMAL(28, 6))) AS "BORC", SUM(CAST(G."CREDIT" AS DECIMAL(28, 6))) AS "ALACAK"
FROM $balances G JOIN $cards C ON C."LOGICALREF" = G."CARDREF"
WHERE G."TOTTYP" = 1 AND C."CARDTYPE" NOT IN (4, 22) AND C."CODE" LIKE '$prefix%'
GROUP BY C."CODE"
ORDER BY C."CODE"
