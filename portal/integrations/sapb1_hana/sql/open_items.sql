-- What was open at the end of a day: today's open part, and what was reconciled after that day put back.
-- Parameters: the day after, twice.
SELECT X."CODE", YEAR(X."VADE") * 100 + MONTH(X."VADE") AS "AY", SUM(GREATEST(X."ACIK", 0)) AS "BORC",
       SUM(GREATEST(-X."ACIK", 0)) AS "ALACAK", COUNT(*) AS "SATIR"
FROM (SELECT J."ShortName" AS "CODE", COALESCE(J."DueDate", J."RefDate") AS "VADE",
             J."BalDueDeb" - J."BalDueCred" + COALESCE(R."SONRA", 0) AS "ACIK"
      FROM $journal J JOIN $partners O ON O."CardCode" = J."ShortName"
      LEFT JOIN (SELECT I."TransId", I."TransRowId", SUM(CASE WHEN I."IsCredit" = 'C' THEN -I."ReconSum" ELSE I."ReconSum" END) AS "SONRA"
                 FROM $matches I JOIN $matchings M ON M."ReconNum" = I."ReconNum"
                 WHERE M."ReconDate" >= ? GROUP BY I."TransId", I."TransRowId") R
             ON R."TransId" = J."TransId" AND R."TransRowId" = J."Line_ID"
      WHERE J."RefDate" < ? AND J."ShortName" LIKE '$prefix%' AND O."CardType" = '$kind') X
WHERE X."ACIK" <> 0
GROUP BY X."CODE", YEAR(X."VADE") * 100 + MONTH(X."VADE")
ORDER BY 1, 2
