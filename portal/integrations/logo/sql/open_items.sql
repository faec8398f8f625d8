-- The payment plan of the newest period: what no other row has closed. DATE_ is the due date there.
SELECT C."CODE", YEAR(P."DATE_") * 100 + MONTH(P."DATE_") AS "AY",
       SUM(CASE WHEN P."SIGN" = 0 THEN CAST(P."TOTAL" AS DECIMAL(28, 6)) - CAST(P."PAID" AS DECIMAL(28, 6)) ELSE 0 END) AS "BORC",
       SUM(CASE WHEN P."SIGN" = 1 THEN CAST(P."TOTAL" AS DECIMAL(28, 6)) - CAST(P."PAID" AS DECIMAL(28, 6)) ELSE 0 END) AS "ALACAK",
       COUNT(*) AS "SATIR"
FROM $payments P JOIN $cards C ON C."LOGICALREF" = P."CARDREF"
WHERE P."CANCELLED" = 0 AND P."CROSSREF" = 0 AND P."PROCDATE" < ? AND C."CARDTYPE" NOT IN (4, 22) AND C."CODE" LIKE '$prefix%'
GROUP BY C."CODE", YEAR(P."DATE_") * 100 + MONTH(P."DATE_")
ORDER BY 1, 2
