SELECT COUNT(*) AS "SATIR", MAX(J."RefDate") AS "SON" FROM $journal J
WHERE J."ShortName" LIKE '120%' OR J."ShortName" LIKE '320%'
