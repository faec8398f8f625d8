-- Partners that have lines. A frozen one can still owe money.
SELECT O."CardCode", O."CardName", O."Currency", O."frozenFor", $email AS "EPOSTA", $tax AS "VERGI", $salesperson AS "SATICI", $group AS "GRUP"
FROM $partners O $more
WHERE O."CardCode" LIKE '$prefix%' AND O."CardType" = '$kind'
  AND EXISTS (SELECT 1 FROM $journal J WHERE J."ShortName" = O."CardCode") $only
ORDER BY O."CardCode"
