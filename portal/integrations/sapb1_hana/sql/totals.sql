-- The same lines, in one sum and ungrouped.
SELECT SUM(GREATEST(T."TUTAR", 0)) AS "BORC", SUM(GREATEST(-T."TUTAR", 0)) AS "ALACAK", COUNT(*) AS "SATIR" FROM ($all_lines) T
