-- SAP's own balance of a partner: of now, future lines included.
SELECT O."CardCode", GREATEST(O."Balance", 0) AS "BORC", GREATEST(-O."Balance", 0) AS "ALACAK"
FROM $partners O WHERE O."CardCode" LIKE '$prefix%' AND O."CardType" = '$kind' ORDER BY O."CardCode"
