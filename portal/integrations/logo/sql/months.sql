-- Five numbers an account and month. A negative amount stands on the other side, line by line.
-- AY 0: carried in from before all we read. The parameter (day after the one asked for) is inside the derived table: SQL
-- Server takes the same CASE in SELECT and GROUP BY for two when it holds a parameter (8120).
SELECT X."CODE", X."AY", X."GELECEK",
       SUM(CASE WHEN (X."ISARET" = 0 AND X."TUTAR" > 0) OR (X."ISARET" = 1 AND X."TUTAR" < 0) THEN ABS(X."TUTAR") ELSE 0 END) AS "BORC",
       SUM(CASE WHEN (X."ISARET" = 1 AND X."TUTAR" > 0) OR (X."ISARET" = 0 AND X."TUTAR" < 0) THEN ABS(X."TUTAR") ELSE 0 END) AS "ALACAK",
       COUNT(*) AS "SATIR", MIN(X."GUN") AS "ILK", MAX(X."GUN") AS "SON"
FROM (SELECT T."CODE", T."ISARET", T."TUTAR", T."GUN",
             COALESCE(YEAR(T."GUN") * 100 + MONTH(T."GUN"), 0) AS "AY",
             CASE WHEN T."GUN" >= ? THEN 1 ELSE 0 END AS "GELECEK"
      FROM ($all_lines) T $only) X
GROUP BY X."CODE", X."AY", X."GELECEK"
ORDER BY X."CODE", X."AY"
