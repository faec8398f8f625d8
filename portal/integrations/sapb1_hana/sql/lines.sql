-- Partner lines of one side, each with what it raises the balance by. Openings say nothing of the months they stem from.
SELECT J."ShortName" AS "CODE", COALESCE(J."Debit", 0) - COALESCE(J."Credit", 0) AS "TUTAR",
       CASE WHEN $opening THEN NULL ELSE $day END AS "GUN"
FROM $journal J JOIN $heads H ON H."TransId" = J."TransId" JOIN $partners O ON O."CardCode" = J."ShortName"
WHERE J."ShortName" LIKE '$prefix%' AND O."CardType" = '$kind'
