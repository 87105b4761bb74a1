-- Idempotent: a second run changes no row. Each row carries the checksum of its own content.
CREATE TABLE IF NOT EXISTS items (
    id integer PRIMARY KEY,
    name text NOT NULL,
    price numeric(10, 2) NOT NULL,
    note text NOT NULL,
    checksum text NOT NULL
);
INSERT INTO items
SELECT id, name, price, note, md5(concat_ws('|', id, name, price, note))
FROM (
    SELECT
        i AS id,
        'Article ' || i AS name,
        ((i * 7919) % 100000 / 100.0)::numeric(10, 2) AS price,
        'Crème brûlée № ' || i || ' – ' || md5((i * 31)::text) AS note
    FROM generate_series(1, 2000) AS i
) AS made
ON CONFLICT (id) DO NOTHING;
