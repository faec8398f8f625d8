-- What every partner's lines add up to; one parameter, the day after the one asked for. AGIRLIK as in Logo's.
SELECT X."CODE", SUM(X."BORC") AS "BORC", SUM(X."ALACAK") AS "ALACAK", COUNT(*) AS "SATIR",
       SUM(X."BORC" * X."AGIRLIK") AS "BORC_AGIRLIK", SUM(X."ALACAK" * X."AGIRLIK") AS "ALACAK_AGIRLIK"
FROM (SELECT T."CODE", GREATEST(T."TUTAR", 0) AS "BORC", GREATEST(-T."TUTAR", 0) AS "ALACAK",
             COALESCE(YEAR(T."GUN") * 100 + MONTH(T."GUN"), 0) * 2 + CASE WHEN T."GUN" >= ? THEN 1 ELSE 0 END AS "AGIRLIK"
      FROM ($all_lines) T) X
GROUP BY X."CODE"
ORDER BY X."CODE"
