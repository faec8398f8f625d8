-- What a period opened with against what the ones before closed with, by code: card numbers differ between firms.
SELECT X."CODE", SUM(X."ACILIS") AS "ACILIS", SUM(X."KAPANIS") AS "KAPANIS", SUM(X."SATIR") AS "SATIR"
FROM (SELECT C."CODE" AS "CODE", CASE WHEN L."SIGN" = 0 THEN 1 ELSE -1 END * CAST(L."AMOUNT" AS DECIMAL(28, 6)) AS "ACILIS",
             CAST(0 AS DECIMAL(28, 6)) AS "KAPANIS", 1 AS "SATIR"
      FROM $lines L JOIN $cards C ON C."LOGICALREF" = L."CLIENTREF"
      WHERE L."CANCELLED" = 0 AND $real AND C."CARDTYPE" NOT IN (4, 22) AND C."CODE" LIKE '$prefix%'
        AND L."MODULENR" = 5 AND L."TRCODE" = 14
      UNION ALL
      SELECT T."CODE", CAST(0 AS DECIMAL(28, 6)), CASE WHEN T."ISARET" = 0 THEN 1 ELSE -1 END * T."TUTAR", 0
      FROM ($lines_before) T) X
GROUP BY X."CODE"
ORDER BY X."CODE"
