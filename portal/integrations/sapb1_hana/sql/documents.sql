-- One partner's lines up to a day, with their month. Parameters: its code, the day after.
SELECT T."GUN", COALESCE(YEAR(T."GUN") * 100 + MONTH(T."GUN"), 0) AS "AY", T."TransType", T."BaseRef", T."LineMemo", T."TUTAR", T."ACILIS",
       T."FCCurrency", T."DueDate", T."TransId", T."Line_ID"
FROM (SELECT CASE WHEN $opening THEN NULL ELSE $day END AS "GUN", CASE WHEN $opening THEN 1 ELSE 0 END AS "ACILIS", J."TransType",
             J."BaseRef", J."LineMemo", COALESCE(J."Debit", 0) - COALESCE(J."Credit", 0) AS "TUTAR", J."FCCurrency", J."DueDate",
             J."TransId", J."Line_ID"
      FROM $journal J JOIN $heads H ON H."TransId" = J."TransId" JOIN $partners O ON O."CardCode" = J."ShortName"
      WHERE J."ShortName" = ?) T
WHERE T."GUN" IS NULL OR T."GUN" < ?
ORDER BY 2, T."GUN", T."TransId", T."Line_ID"
