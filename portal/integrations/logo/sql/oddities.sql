-- Lines of one period that contradict themselves; each is counted under the first contradiction it shows.
SELECT X."TUR", X."CODE", COUNT(*) AS "SATIR", SUM(ABS(X."TUTAR")) AS "TUTAR"
FROM (SELECT CASE WHEN C."LOGICALREF" IS NULL THEN 'NO_CARD'
                  WHEN L."DATE_" IS NULL THEN 'NO_DATE'
                  WHEN YEAR(L."DATE_") < 2000 THEN 'BEFORE_2000'
                  WHEN L."DATE_" < ? OR L."DATE_" >= ? THEN 'OUTSIDE_PERIOD'
                  WHEN $month_differs THEN 'MONTH_DIFFERS'
                  WHEN L."SIGN" IS NULL OR L."SIGN" NOT IN (0, 1) THEN 'ODD_SIGN'
                  WHEN L."AMOUNT" IS NULL THEN 'NO_AMOUNT' END AS "TUR",
             COALESCE(C."CODE", '') AS "CODE", COALESCE(CAST(L."AMOUNT" AS DECIMAL(28, 6)), 0) AS "TUTAR"
      FROM $lines L LEFT JOIN $cards C ON C."LOGICALREF" = L."CLIENTREF"
      WHERE L."CANCELLED" = 0 AND $real
        AND (C."LOGICALREF" IS NULL OR (C."CARDTYPE" NOT IN (4, 22) AND C."CODE" LIKE '$prefix%'))) X
WHERE X."TUR" IS NOT NULL
GROUP BY X."TUR", X."CODE"
ORDER BY X."TUR", X."CODE"
