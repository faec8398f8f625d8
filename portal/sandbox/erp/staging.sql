-- Who trades with the demo company, and every line of its ledger. Reads `size` (accounts, suppliers, lines, begins, today).
-- The same size and day make the same ledger: chance is a hash of the line's number.

CREATE SCHEMA erp_staging;

CREATE FUNCTION erp_staging.chance(bigint, int) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS 'SELECT (hashint8extended($1, $2) & 1152921504606846975)::float8 / 1152921504606846976';

CREATE UNLOGGED TABLE erp_staging.party AS
SELECT n,
       side || '.' || lpad((1 + n % 81)::text, 2, '0') || '.' || lpad(n::text, 7, '0') AS code,
       (ARRAY['Yıldız','Işık','Şahin','Çınar','Gürsoy','Özgür','Ünal','İnci','Aydın','Bozkurt','Çelik','Doğan','Ege','Fırat',
              'Göknar','Irmak','Kılıç','Öztürk','Şimşek','Üçler','Ağaoğlu','İpek'])[1 + (erp_staging.chance(n, 1) * 21.99)::int % 22]
       || ' ' ||
       (ARRAY['Teknoloji','Gıda','İnşaat','Ambalaj','Kırtasiye','Otomotiv','Tekstil','Mobilya','Lojistik','Elektrik','Yapı Market',
              'Sağlık Ürünleri','Bilişim','Matbaa','Züccaciye'])[1 + (erp_staging.chance(n, 2) * 14.99)::int % 15]
       || ' ' || (ARRAY['A.Ş.','Ltd. Şti.','Tic. ve San. A.Ş.','Kollektif Şti.'])[1 + n % 4] AS name,
       side,
       0.55 + erp_staging.chance(n, 3) * 0.65 AS pays,
       erp_staging.chance(n, 4) < 0.02 AS passive
FROM (SELECT n, '120' AS side FROM size, generate_series(1, accounts) n
      UNION ALL SELECT accounts + n, '320' FROM size, generate_series(1, suppliers) n) AS everybody;

-- Cases that people look for: the example of the letter, and the ones a rule is argued about with.
UPDATE erp_staging.party SET code = c.code, name = c.name, passive = false
FROM (VALUES (1, '120.40.0000123', 'AYTEK TEKNOLOJİ A.Ş.'), (2, '120.40.0000124', 'ÇIĞIR ÖDEMESİ SONRADAN GELEN LTD. ŞTİ.'),
             (3, '120.40.0000125', 'IŞIL İADE VE DÜZELTME A.Ş.'), (4, '120.40.0000126', 'GÜLŞEN AVANS VEREN A.Ş.'),
             (5, '120.40.0000127', 'ÇOK SATIRLI HESAP TİCARET VE SANAYİ ANONİM ŞİRKETİ')) AS c(n, code, name)
WHERE party.n = c.n;
UPDATE erp_staging.party SET code = '320.34.0000001', name = 'BAŞLICA TEDARİKÇİ A.Ş.', passive = false
FROM size WHERE party.n = size.accounts + 1 AND size.suppliers > 0;

CREATE UNLOGGED TABLE erp_staging.line AS
WITH drawn AS (
    SELECT g AS n,
           -- One account in fifty lines is always the same; the others lean towards the big ones.
           CASE WHEN g % 50 = 0 THEN 5
                ELSE least(accounts + suppliers, 6 + floor((accounts + suppliers - 5) * power(erp_staging.chance(g, 11), 1.6)))
           END::int AS scattered,
           begins + floor(erp_staging.chance(g, 12) * (today - begins + 1))::int AS on_day,
           erp_staging.chance(g, 13) AS kind,
           round((10 + exp(3 + 6 * erp_staging.chance(g, 14)))::numeric, 2) AS amount,
           erp_staging.chance(g, 15) AS odd,
           today
    FROM size, generate_series(1, lines) g
), placed AS (
    -- The scattered number walks over all accounts, so that no side and no city is only small.
    SELECT d.*, CASE WHEN scattered = 5 THEN 5 ELSE 6 + (scattered::bigint * 7919 % (accounts + suppliers - 5))::int END AS walked
    FROM drawn d, size
)
SELECT l.n, l.party,
       CASE WHEN odd > 0.998 THEN least(today + 3 + (l.n % 20)::int, (date_trunc('year', today) + interval '1 year - 1 day')::date)
            ELSE on_day END AS on_day,
       CASE WHEN kind < 0.58 THEN 4 WHEN kind < 0.60 THEN 5 WHEN kind < 0.80 THEN 7 WHEN kind < 0.88 THEN 10
            WHEN kind < 0.96 THEN 6 ELSE 4 END AS module,
       -- What is a sale for a customer is a purchase for a supplier.
       CASE WHEN p.side = '120'
            THEN CASE WHEN kind < 0.58 THEN 38 WHEN kind < 0.60 THEN 3 WHEN kind < 0.80 THEN 20 WHEN kind < 0.88 THEN 1
                      WHEN kind < 0.96 THEN 61 ELSE 33 END
            ELSE CASE WHEN kind < 0.58 THEN 31 WHEN kind < 0.60 THEN 4 WHEN kind < 0.80 THEN 21 WHEN kind < 0.88 THEN 2
                      WHEN kind < 0.96 THEN 63 ELSE 36 END END AS trcode,
       CASE WHEN (kind < 0.60) = (p.side = '120') THEN 0 ELSE 1 END AS sign,
       CASE WHEN odd < 0.003 THEN -1 ELSE 1 END
         * round((CASE WHEN kind < 0.60 THEN amount ELSE amount * (1.5 * p.pays)::numeric END), 2) AS amount,
       odd BETWEEN 0.010 AND 0.020 AS cancelled,
       odd BETWEEN 0.020 AND 0.025 AS proposal,
       odd BETWEEN 0.030 AND 0.060 AS euro,
       false AS opening, NULL::date AS carried_from, ''::text AS words
FROM (SELECT placed.*, CASE WHEN walked = size.accounts + 1 THEN 5 ELSE walked END AS party FROM placed, size) l
JOIN erp_staging.party p ON p.n = l.party;

-- A third of the accounts come with a balance from before our books begin; half of those say from when.
INSERT INTO erp_staging.line
SELECT 900000000 + p.n, p.n, begins, 5, 14, CASE WHEN (erp_staging.chance(p.n, 21) < 0.8) = (side = '120') THEN 0 ELSE 1 END,
       round((100 + exp(4 + 6 * erp_staging.chance(p.n, 22)))::numeric, 2), false, false, false, true,
       CASE WHEN p.n % 2 = 0 THEN begins - 15 - (p.n % 300) END, 'Devir'
FROM erp_staging.party p, size WHERE p.n > 5 AND p.n % 3 = 0 AND p.n <> size.accounts + 1;

-- Months back from today's month; first of the month, so that the month is never in the future.
INSERT INTO erp_staging.line
SELECT 950000000 + row_number() OVER (), party, (date_trunc('month', today) - back * interval '1 month')::date,
       module, trcode, sign, amount, false, false, false, false, NULL, 'Örnek'
FROM size, (VALUES
    (1, 7, 4, 38, 0, 500000.00), (1, 6, 7, 20, 1, 300000.00), (1, 3, 4, 38, 0, 354300.50), (1, 2, 4, 38, 0, 400000.00),
    (1, 1, 4, 38, 0, 250000.00), (1, 0, 4, 38, 0, 50000.00),
    (2, 7, 4, 38, 0, 500000.00), (2, 3, 4, 38, 0, 354300.50), (2, 2, 4, 38, 0, 400000.00), (2, 1, 4, 38, 0, 250000.00),
    (2, 1, 7, 20, 1, 300000.00), (2, 0, 4, 38, 0, 50000.00),
    (3, 7, 4, 38, 0, 100.00), (3, 3, 7, 20, 1, 150.00), (3, 1, 4, 38, 0, 80.00), (3, 0, 4, 38, 0, 20.00),
    (4, 7, 4, 38, 0, 100.00), (4, 0, 7, 20, 1, 130.00)) AS c(party, back, module, trcode, sign, amount)
WHERE size.accounts >= 5;
INSERT INTO erp_staging.line
SELECT 960000000 + row_number() OVER (), size.accounts + 1, (date_trunc('month', today) - back * interval '1 month')::date,
       module, trcode, sign, amount, false, false, false, false, NULL, 'Örnek'
FROM size, (VALUES (7, 4, 31, 1, 2790374.86), (3, 4, 31, 1, 1199686.23), (3, 7, 21, 0, 390000.00), (2, 4, 31, 1, 1095480.05),
                   (2, 7, 21, 0, 750000.00), (0, 7, 21, 0, 1250000.00)) AS c(back, module, trcode, sign, amount)
WHERE size.suppliers > 0;
