-- A new period begins with what the one before closed with: one line an account, dated its first day.
INSERT INTO "LOGO"."LG_:firm_:period_CLFLINE"
SELECT 800000000 + row_number() OVER (ORDER BY now_."LOGICALREF"), now_."LOGICALREF", ':begins', ':begins',
       extract(month FROM date ':begins'), extract(year FROM date ':begins'), 5, 14, CASE WHEN closing > 0 THEN 0 ELSE 1 END,
       abs(closing), 0, 0, abs(closing), 0, 0, 0, 'DEVIR', '', 'Devir fişi', 1, NULL
FROM (SELECT card."CODE", sum(CASE WHEN "SIGN" = 0 THEN "AMOUNT" ELSE -"AMOUNT" END::numeric) AS closing
      FROM "LOGO"."LG_:before_CLFLINE" line JOIN "LOGO"."LG_:before_firm_CLCARD" card ON card."LOGICALREF" = line."CLIENTREF"
      WHERE line."CANCELLED" = 0 AND line."STATUS" = 0 AND card."CARDTYPE" <> 22 GROUP BY card."CODE") AS before_
JOIN "LOGO"."LG_:firm_CLCARD" now_ ON now_."CODE" = before_."CODE"
WHERE closing <> 0;
