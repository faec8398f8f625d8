-- The same lines, in one sum and ungrouped: what the months are compared with.
SELECT SUM(CASE WHEN (T."ISARET" = 0 AND T."TUTAR" > 0) OR (T."ISARET" = 1 AND T."TUTAR" < 0) THEN ABS(T."TUTAR") ELSE 0 END) AS "BORC",
       SUM(CASE WHEN (T."ISARET" = 1 AND T."TUTAR" > 0) OR (T."ISARET" = 0 AND T."TUTAR" < 0) THEN ABS(T."TUTAR") ELSE 0 END) AS "ALACAK",
       COUNT(*) AS "SATIR"
FROM ($all_lines) T
