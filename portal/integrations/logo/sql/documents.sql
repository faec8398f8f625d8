-- One account's lines of one period, up to a day, with their month.
SELECT T."GUN", COALESCE(YEAR(T."GUN") * 100 + MONTH(T."GUN"), 0) AS "AY", T."MODULENR", T."TRCODE", T."NUMARA", T."ACIKLAMA",
       T."ISARET", T."TUTAR", T."ACILIS", T."PARA", T."LOGICALREF"
FROM (SELECT $day AS "GUN", L."MODULENR", L."TRCODE", $number AS "NUMARA", $text AS "ACIKLAMA", L."SIGN" AS "ISARET",
             CAST(L."AMOUNT" AS DECIMAL(28, 6)) AS "TUTAR", $currency AS "PARA", L."LOGICALREF",
             CASE WHEN L."MODULENR" = 5 AND L."TRCODE" = 14 THEN 1 ELSE 0 END AS "ACILIS"
      FROM $lines L JOIN $cards C ON C."LOGICALREF" = L."CLIENTREF"
      WHERE L."CANCELLED" = 0 AND $real AND C."CARDTYPE" NOT IN (4, 22) AND C."CODE" = ? AND $wanted) T
WHERE T."GUN" IS NULL OR T."GUN" < ?
