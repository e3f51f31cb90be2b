"""Makes the sample's stock.sql and online.csv from one table, so that both have the same SKUs. Run: python3 make.py"""

import csv

GOODS = [
    # sku, name, price in satang, Siam on hand, Siam committed, Bang Na on hand, Bang Na committed, online: Siam, Bang Na
    ("KT-2001-5", "ชามตราไก่ลำปาง 5 นิ้ว", 29000, 12, 1, 40, 0, 9, 38),
    ("KT-2001-8", "ชามตราไก่ลำปาง 8 นิ้ว", 52000, 8, 2, 16, 3, 4, 11),
    ("KT-2004", "ครกหินอ่างศิลาพร้อมสาก", 129000, 3, 0, 9, 0, 1, 7),
    ("KT-2006", "ตะเกียบไม้ตาล 5 คู่", 18000, 25, 0, 120, 4, 30, 114),
    ("HM-1001-JAS", "เทียนหอมไขถั่วเหลือง มะลิ", 42000, 6, 0, 30, 0, 4, 28),
    ("HM-1004", "โคมไฟกระดาษสา สันกำแพง", 185000, 1, 0, 4, 1, 0, 1),
    ("TX-3001-WHT", "ผ้าพันคอมัดย้อมคราม", 59000, 9, 1, 22, 0, 6, 20),
    ("TX-3003-RED", "ผ้าขาวม้าทอมือ", 29000, 14, 0, 51, 2, 12, 47),
    ("CL-6001-IND-M", "เสื้อหม้อห้อมคอจีน M", 119000, 5, 0, 11, 0, 3, 9),
    ("GD-9503-RED", "ร่มบ่อสร้างกระดาษสา", 48000, 7, 0, 18, 0, 5, 12),
    ("VN-1101", "Bát gốm Bát Tràng men lam", 38000, 10, 0, 24, 0, 12, 22),
    ("VN-1102", "Đĩa sứ hoa sen 24 cm", 45000, 4, 1, 13, 0, 1, 11),
    ("VN-1201", "Cà phê Buôn Ma Thuột 500 g", 26000, 18, 0, 60, 6, 16, 52),
    ("VN-1202", "Trà sen Tây Hồ 100 g", 34000, 0, 0, 15, 0, 0, 13),
    ("VN-1301", "Khăn lụa Vạn Phúc", 89000, 6, 0, 8, 0, 4, 6),
    ("VN-1302", "Nón lá Huế", 21000, 11, 0, 35, 0, 9, 33),
    ("PL-2101", "Miska ceramiczna z Bolesławca", 69000, 5, 0, 20, 1, 3, 17),
    ("PL-2102", "Kubek z Bolesławca „Pawie oko”", 47000, 9, 2, 31, 0, 5, 29),
    ("PL-2201", "Świeca sojowa „Żywica i dąb”", 39000, 2, 0, 12, 0, 1, 10),
    ("PL-2202", "Mydło z miodem gryczanym", 15000, 30, 0, 80, 0, 28, 60),
    ("PL-2301", "Obrus lniany, haft łowicki", 215000, 1, 0, 3, 0, 0, 1),
    ("PL-2302", "Ściereczka lniana w źdźbła", 19000, 16, 0, 44, 0, 14, 42),
    ("PL-2401", "Bombka ręcznie malowana", 32000, 20, 0, 90, 10, 18, 78),
    ("TY-8001-NVY", "ตุ๊กตาช้างน้อย 🐘", 39000, 8, 0, 27, 0, 9, 25),
]


def sql(text):
    return "'" + text.replace("'", "''") + "'"


with open("stock.sql", "w", encoding="utf-8") as out:
    out.write(
        "-- What the tills of two locations counted: made by make.py. sqlite3 tills.db < stock.sql\n"
        "DROP TABLE IF EXISTS stock;\n"
        "CREATE TABLE stock (\n"
        "  sku TEXT NOT NULL, location TEXT NOT NULL, name TEXT NOT NULL,\n"
        "  on_hand INTEGER NOT NULL, committed INTEGER NOT NULL, updated_at TEXT NOT NULL,\n"
        "  PRIMARY KEY (sku, location)\n);\n"
        "-- a till that sells says when: what is older never overwrites what is newer\n"
        "CREATE TRIGGER moved AFTER UPDATE OF on_hand, committed ON stock BEGIN\n"
        "  UPDATE stock SET updated_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE sku = new.sku AND location = new.location;\n"
        "END;\n"
        "INSERT INTO stock VALUES\n"
    )
    rows = []
    for sku, name, _, siam, siam_committed, bangna, bangna_committed, _, _ in GOODS:
        for location, units, committed in (("siam", siam, siam_committed), ("bangna", bangna, bangna_committed)):
            rows.append(f"  ({sql(sku)}, '{location}', {sql(name)}, {units}, {committed}, '2026-11-22T03:00:00.000Z')")
    out.write(",\n".join(rows) + ";\n")

with open("online.csv", "w", encoding="utf-8", newline="") as out:
    write = csv.writer(out, lineterminator="\n")
    write.writerow(["sku", "name", "price", "at:Siam", "at:Bang Na"])
    for sku, name, price, _, _, _, _, siam, bangna in GOODS:
        write.writerow([sku, name, price, siam, bangna])
