-- Lines that contradict themselves; each is counted under the first contradiction it shows.
SELECT X."TUR", X."CODE", COUNT(*) AS "SATIR", SUM(ABS(X."TUTAR")) AS "TUTAR"
FROM (SELECT CASE WHEN O."CardCode" IS NULL OR O."CardType" <> '$kind' THEN 'NO_CARD'
                  WHEN J."RefDate" IS NULL THEN 'NO_DATE'
                  WHEN YEAR(J."RefDate") < 2000 THEN 'BEFORE_2000'
                  WHEN J."ShortName" LIKE '% %' THEN 'ODD_CODE'
                  WHEN J."Debit" IS NULL OR J."Credit" IS NULL THEN 'NO_AMOUNT'
                  WHEN $undated THEN 'OPENING_UNDATED' END AS "TUR",
             J."ShortName" AS "CODE", COALESCE(J."Debit", 0) - COALESCE(J."Credit", 0) AS "TUTAR"
      FROM $journal J JOIN $heads H ON H."TransId" = J."TransId" LEFT JOIN $partners O ON O."CardCode" = J."ShortName"
      WHERE J."ShortName" LIKE '$prefix%') X
WHERE X."TUR" IS NOT NULL
GROUP BY X."TUR", X."CODE"
ORDER BY X."TUR", X."CODE"
