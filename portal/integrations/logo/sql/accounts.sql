-- The cards of one firm that have lines in the periods we read; a quarter of a million others may lie beside them.
SELECT C."CODE", C."DEFINITION_" AS "AD", $more_name AS "AD2", C."ACTIVE" AS "PASIF", $currency AS "PARA", $email AS "EPOSTA",
       $tax AS "VERGI", $group AS "GRUP"
FROM $cards C
WHERE C."CARDTYPE" NOT IN (4, 22) AND C."CODE" LIKE '$prefix%' AND ($has_lines) $only
ORDER BY C."CODE"
