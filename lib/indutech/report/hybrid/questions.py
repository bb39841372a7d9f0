"""The questions of a plant manager, written once, as Amazon Redshift would be asked, and the schemas that they name.

`lake` is an external schema over Parquet in S3, read by Spectrum. `erp` holds the ERP's other tables: Redshift's
federated queries reach PostgreSQL and MySQL, but no SQL Server, so from the estate they are loaded by DMS.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """A question in words, why it is asked, and in Redshift's SQL."""

    name: str
    asked: str
    sql: str


# A ticket belongs to the version of its client that was valid when the broker took it.
_THEN = """
    LEFT JOIN lake.clients_history AS c
      ON c.client_id = t.client_id
     AND t.kafka_timestamp >= c.valid_from
     AND t.kafka_timestamp < NVL(c.valid_to, GETDATE())"""

URGENT_BY_CONTRACT = Question(
    "urgent tickets by contract",
    "Which contracts produce urgent tickets?",
    """
SELECT NVL(k.level, 'sans contrat') AS contract,
       COUNT(DISTINCT t.client_id) AS clients,
       COUNT(*) AS tickets,
       COUNT(CASE WHEN t.priority IN ('HAUTE', 'CRITIQUE') THEN 1 END) AS urgent,
       ROUND(100.0 * COUNT(CASE WHEN t.priority IN ('HAUTE', 'CRITIQUE') THEN 1 END) / COUNT(*), 1) AS urgent_percent
FROM lake.tickets AS t
LEFT JOIN erp.contracts AS k ON k.client_id = t.client_id
GROUP BY 1
ORDER BY urgent DESC, contract""",
)
SEGMENT_THEN = Question(
    "tickets by segment, then",
    "Clients of which size write tickets, as they were when they wrote?",
    f"""
SELECT NVL(c.segment, 'pas client') AS segment, COUNT(*) AS tickets, COUNT(DISTINCT t.client_id) AS clients
FROM lake.tickets AS t{_THEN}
GROUP BY 1
ORDER BY tickets DESC, segment""",
)
SEGMENT_NOW = Question(
    "tickets by segment, now",
    "The same, with the clients as they are now.",
    """
SELECT NVL(c.segment, 'pas client') AS segment, COUNT(*) AS tickets, COUNT(DISTINCT t.client_id) AS clients
FROM lake.tickets AS t
LEFT JOIN lake.clients AS c ON c.client_id = t.client_id
GROUP BY 1
ORDER BY tickets DESC, segment""",
)
TURNOVER = Question(
    "tickets against turnover",
    "Do clients with more turnover write more tickets, by their turnover at the time?",
    f"""
SELECT CASE WHEN c.turnover_eur IS NULL THEN '0: pas client'
            WHEN c.turnover_eur < 20000 THEN '1: < 20 k€'
            WHEN c.turnover_eur < 100000 THEN '2: 20–100 k€'
            ELSE '3: > 100 k€' END AS turnover,
       COUNT(DISTINCT t.client_id) AS clients,
       COUNT(*) AS tickets,
       ROUND(COUNT(*)::FLOAT / COUNT(DISTINCT t.client_id), 2) AS per_client
FROM lake.tickets AS t{_THEN}
GROUP BY 1
ORDER BY turnover""",
)
BREAKDOWNS = Question(
    "breakdowns by machine",
    "Whose machines break down? Tickets do not name one, so each model that the client has counts.",
    """
SELECT m.model, COUNT(DISTINCT m.machine_id) AS machines, COUNT(DISTINCT t.ticket_id) AS breakdowns,
       MIN(DATEDIFF(year, m.installed_on, t.creation_date)) AS youngest_years
FROM lake.tickets AS t
JOIN erp.sites AS s ON s.client_id = t.client_id
JOIN erp.machines AS m ON m.site_id = s.site_id
WHERE t.type = 'Panne Matérielle' AND t.priority = 'CRITIQUE'
GROUP BY m.model
ORDER BY breakdowns DESC, m.model
LIMIT 5""",
)

# An alarm: more vibration, in mm/s, or heat, in °C, than any generated machine has that is well.
# The readings are named once, because a table that is named twice is scanned, and paid, twice.
_ALARMS = """
WITH alarms AS (
    SELECT DISTINCT r.machine_id, r.site,
           CASE WHEN r.metric = 'vibration' AND r.measured_value > 7.1
                  OR r.metric = 'température' AND r.measured_value > 80 THEN r.measured_at END AS alarmed_at
    FROM lake.readings AS r
),
breakdowns AS (
    SELECT t.ticket_id, t.client_id, t.creation_date
    FROM lake.tickets AS t
    WHERE t.type = 'Panne Matérielle' AND t.priority = 'CRITIQUE'
)"""
_SOON_AFTER = "b.creation_date BETWEEN a.alarmed_at AND DATEADD(hour, 4, a.alarmed_at)"

ALARMS_BY_SITE = Question(
    "alarms by site",
    "At which sites do machines alarm before a breakdown ticket?",
    f"""{_ALARMS}
SELECT a.site,
       COUNT(DISTINCT a.machine_id) AS machines,
       COUNT(DISTINCT CASE WHEN a.alarmed_at IS NOT NULL THEN a.machine_id END) AS alarmed,
       COUNT(DISTINCT CASE WHEN b.ticket_id IS NOT NULL THEN a.machine_id END) AS before_a_ticket,
       MAX(DATEDIFF(minute, a.alarmed_at, b.creation_date)) AS minutes_ahead
FROM alarms AS a
LEFT JOIN erp.machines AS m ON m.machine_id = a.machine_id
LEFT JOIN erp.sites AS s ON s.site_id = m.site_id
LEFT JOIN breakdowns AS b ON b.client_id = s.client_id AND {_SOON_AFTER}
GROUP BY a.site
ORDER BY before_a_ticket DESC, a.site""",
)
ALARMS_BY_MACHINE = Question(
    "alarms by machine",
    "Which machines of which site alarm before a breakdown ticket, and how long before?",
    f"""{_ALARMS}
SELECT a.site, a.machine_id, m.model, NVL(k.level, 'sans contrat') AS contract,
       COUNT(*) AS alarms,
       MAX(DATEDIFF(minute, a.alarmed_at, b.creation_date)) AS minutes_ahead
FROM breakdowns AS b
JOIN erp.sites AS s ON s.client_id = b.client_id
JOIN erp.machines AS m ON m.site_id = s.site_id
JOIN alarms AS a ON a.machine_id = m.machine_id AND a.site = s.city AND {_SOON_AFTER}
LEFT JOIN erp.contracts AS k ON k.client_id = b.client_id
GROUP BY a.site, a.machine_id, m.model, b.ticket_id, k.level
ORDER BY minutes_ahead DESC, a.machine_id
LIMIT 10""",
)

ALL = (URGENT_BY_CONTRACT, SEGMENT_THEN, SEGMENT_NOW, TURNOVER, BREAKDOWNS, ALARMS_BY_SITE, ALARMS_BY_MACHINE)

# What else a manager's question may need in Redshift, tried one by one.
BESIDE = {
    "the external schema itself": """
CREATE EXTERNAL SCHEMA lake FROM DATA CATALOG DATABASE 'indutech' IAM_ROLE default""",
    "a list of different values": """
SELECT LISTAGG(DISTINCT s.city, ', ') WITHIN GROUP (ORDER BY s.city) FROM erp.sites AS s""",
    "an estimated count": """
SELECT APPROXIMATE COUNT(DISTINCT t.client_id) FROM lake.tickets AS t""",
    "the clock of Paris": """
SELECT DATE_TRUNC('day', CONVERT_TIMEZONE('UTC', 'Europe/Paris', t.kafka_timestamp)) AS jour, COUNT(*)
FROM lake.tickets AS t GROUP BY 1""",
    "the largest per group": """
SELECT s.city, s.name FROM erp.sites AS s QUALIFY ROW_NUMBER() OVER (PARTITION BY s.city ORDER BY s.name) = 1""",
    "what Spectrum read": """
SELECT SUM(s3_scanned_bytes) FROM svl_s3query_summary WHERE query = pg_last_query_id()""",
    "an answer kept in S3": """
UNLOAD ('SELECT * FROM erp.sites') TO 's3://YOUR-BUCKET/answers/' IAM_ROLE default FORMAT AS PARQUET""",
}
