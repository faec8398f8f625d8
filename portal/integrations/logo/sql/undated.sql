-- Openings of the first period we read: with the day they truly stem from, or without.
SELECT C."CODE", COUNT(*) AS "SATIR", SUM(ABS(CAST(L."AMOUNT" AS DECIMAL(28, 6)))) AS "TUTAR"
FROM $lines L JOIN $cards C ON C."LOGICALREF" = L."CLIENTREF"
WHERE L."CANCELLED" = 0 AND $real AND C."CARDTYPE" NOT IN (4, 22) AND C."CODE" LIKE '$prefix%'
  AND L."MODULENR" = 5 AND L."TRCODE" = 14 AND $no_true_day
GROUP BY C."CODE"
ORDER BY C."CODE"
