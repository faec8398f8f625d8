-- Five numbers an account and month; one parameter, the day after the one asked for.
SELECT X."CODE", X."AY", X."GELECEK", SUM(GREATEST(X."TUTAR", 0)) AS "BORC", SUM(GREATEST(-X."TUTAR", 0)) AS "ALACAK",
       COUNT(*) AS "SATIR", MIN(X."GUN") AS "ILK", MAX(X."GUN") AS "SON"
FROM (SELECT T."CODE", T."TUTAR", T."GUN", COALESCE(YEAR(T."GUN") * 100 + MONTH(T."GUN"), 0) AS "AY",
             CASE WHEN T."GUN" >= ? THEN 1 ELSE 0 END AS "GELECEK"
      FROM ($all_lines) T $only) X
GROUP BY X."CODE", X."AY", X."GELECEK"
ORDER BY X."CODE", X."AY"
