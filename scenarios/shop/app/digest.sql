SELECT count(*), md5(string_agg(concat_ws('|', id, name, price, note, checksum), E'\n' ORDER BY id)) FROM items
