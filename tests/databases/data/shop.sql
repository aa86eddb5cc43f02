
-- migrate:up
CREATE TYPE mood AS ENUM ('calm', 'busy');
CREATE TABLE items (
    sku TEXT PRIMARY KEY,
    price DOUBLE NOT NULL,
    stock INTEGER,
    tags TEXT[],
    size STRUCT(width INTEGER, unit_name TEXT),
    cost DECIMAL(10, 2),
    mood mood
);
CREATE TABLE order_lines (id INTEGER PRIMARY KEY, sku TEXT NOT NULL, quantity INTEGER NOT NULL, placed_at TIMESTAMPTZ);
CREATE VIEW cheap_items AS SELECT sku, price, stock FROM items WHERE price < 3;
-- migrate:down
DROP TABLE items;
