-- What every account's lines add up to; one parameter, the day after the one asked for. AGIRLIK: the month twice, and one
-- more for the future, so that a line that moves to another month changes the sum.
SELECT X."CODE", SUM(X."BORC") AS "BORC", SUM(X."ALACAK") AS "ALACAK", COUNT(*) AS "SATIR",
       SUM(X."BORC" * X."AGIRLIK") AS "BORC_AGIRLIK", SUM(X."ALACAK" * X."AGIRLIK") AS "ALACAK_AGIRLIK"
FROM (SELECT T."CODE",
             CASE WHEN (T."ISARET" = 0 AND T."TUTAR" > 0) OR (T."ISARET" = 1 AND T."TUTAR" < 0) THEN ABS(T."TUTAR") ELSE 0 END AS "BORC",
             CASE WHEN (T."ISARET" = 1 AND T."TUTAR" > 0) OR (T."ISARET" = 0 AND T."TUTAR" < 0) THEN ABS(T."TUTAR") ELSE 0 END AS "ALACAK",
             COALESCE(YEAR(T."GUN") * 100 + MONTH(T."GUN"), 0) * 2 + CASE WHEN T."GUN" >= ? THEN 1 ELSE 0 END AS "AGIRLIK"
      FROM ($all_lines) T) X
GROUP BY X."CODE"
ORDER BY X."CODE"
