-- One code on two cards of one firm, and codes with blanks in them.
SELECT CASE WHEN COUNT(*) > 1 THEN 'TWO_CARDS' ELSE 'ODD_CODE' END AS "TUR", C."CODE", COUNT(*) AS "KART"
FROM $cards C
WHERE C."CARDTYPE" NOT IN (4, 22) AND C."CODE" LIKE '$prefix%'
GROUP BY C."CODE"
HAVING COUNT(*) > 1 OR C."CODE" LIKE '% %'
ORDER BY C."CODE"
