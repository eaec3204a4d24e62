-- What `filling.py` runs, with numbers of its own in place of the names that begin with a dollar.

INSERT INTO joblogs_scope (id, scope_type, scope_id, name, named_at)
SELECT n, 'biz', n::text, 'business ' || n, 0 FROM generate_series(1, $scopes) n;

-- Scope 1 has 17 % of all jobs, scope 150 some 0.2 %.
INSERT INTO joblogs_jobinstance (id, scope_id, job_instance_id, name, operator, source,
    status, execute_count, create_time, start_time, end_time, total_time, day,
    launch_mode, task_type, held_by, expired_policy)
SELECT n, scope, $first_job + n, 'deploy part ' || n % 50, 'user' || n % 40, '',
    CASE WHEN n % 10 = 0 THEN 4 ELSE 3 END, 0, at, at, at + 1000, 1000,
    (to_timestamp(at / 1000) AT TIME ZONE 'UTC')::date, 2, 1, '', ''
FROM (
    SELECT n, $end::bigint - ($jobs - n)::bigint * $apart AS at,
        CASE WHEN n % 500 = 77 THEN 1 ELSE 1 + floor($scopes * power(
            (n::bigint * 2654435761 % 4294967296) / 4294967296.0, 3)) END AS scope
    FROM generate_series(1, $jobs) n
) made;

-- Every job runs a script, every other one sends files too.
INSERT INTO joblogs_stepinstance (id, job_id, step_instance_id, name, status,
    execute_count, create_time, start_time, end_time, total_time, day, step_type, position)
SELECT row_number() OVER (ORDER BY j.id, kind), j.id,
    $first_step + row_number() OVER (ORDER BY j.id, kind), 'step ' || kind, j.status, 0,
    j.create_time, j.start_time, j.end_time, 1000, j.day, kind, kind
FROM joblogs_jobinstance j, generate_series(1, 2) kind
WHERE kind = 1 OR j.id % 2 = 0;

-- A scope has as many hosts as its largest steps need, and one that is in every job.
INSERT INTO joblogs_host (id, scope_id, identity, bk_host_id, bk_cloud_id, ip, name,
    folded_name)
SELECT s.id * 100000 + n, s.id, sha256((s.id || ':' || n)::bytea),
    CASE WHEN n = 0 THEN $busy_host ELSE s.id * 100000 + n END, 0,
    '10.' || s.id || '.' || n / 250 || '.' || n % 250, 'web-' || s.id || '-' || n,
    'web-' || s.id || '-' || n
FROM joblogs_scope s,
    LATERAL generate_series(0, CASE WHEN s.id = 1 THEN $large_hosts ELSE 400 END) n;

ANALYZE;

INSERT INTO joblogs_hostresult (step_id, bk_host_id, identity_id, execute_count, batch,
    role, bk_cloud_id, ip, host_name, status, exit_code, start_time, end_time, total_time,
    received_size, held_size, truncated, masked, mask_pending, mask_rule, mask_prefix,
    lines, fingerprint_size, digest, day)
SELECT t.step, h.bk_host_id, h.id, 0, 0, 0, 0, h.ip, h.name,
    CASE WHEN n % 20 = 7 THEN 104 ELSE 9 END, 0, t.at, t.at + 900, 900, size, size, false,
    0, 0, '', '', newlines, size, digest, t.day
FROM (
    SELECT s.id AS step, j.scope_id AS scope, j.create_time AS at, s.day, s.step_type,
        CASE
            WHEN j.id % 10000 = 77 THEN $large_hosts
            WHEN j.id % 1000 = 77 THEN 2000
            WHEN j.id % 100 = 77 THEN 300
            WHEN j.id % 20 = 7 THEN 50
            ELSE 8
        END AS hosts
    FROM joblogs_stepinstance s JOIN joblogs_jobinstance j ON j.id = s.job_id
    ORDER BY s.id
) t
CROSS JOIN LATERAL generate_series(0, t.hosts - 1) n
JOIN joblogs_host h ON h.id = t.scope * 100000 + CASE
    WHEN n = 0 AND t.step % 100 = 1 THEN 0
    ELSE 1 + (t.step * 31 + n) % CASE WHEN t.scope = 1 THEN $large_hosts ELSE 400 END
END
CROSS JOIN LATERAL (
    SELECT CASE WHEN t.step_type = 1 THEN f.size ELSE 0 END AS size,
        CASE WHEN t.step_type = 1 THEN f.newlines ELSE 0 END AS newlines,
        CASE WHEN t.step_type = 1 THEN f.digest ELSE sha256('') END AS digest
    FROM sample f WHERE f.n = (t.step + h.id) % $samples
) text;

ANALYZE joblogs_hostresult;

INSERT INTO joblogs_logchunk (day, host_result_id, "offset", size, newlines, codec, data)
SELECT r.day, r.id, 0, f.size, f.newlines, f.codec, f.data
FROM joblogs_hostresult r JOIN sample f ON f.n = (r.step_id + r.identity_id) % $samples
WHERE r.held_size > 0;

INSERT INTO joblogs_logfeatures (day, host_result_id, size, version, data)
SELECT r.day, r.id, f.size, $version, f.features
FROM joblogs_hostresult r JOIN sample f ON f.n = (r.step_id + r.identity_id) % $samples
WHERE r.held_size > 0;

INSERT INTO joblogs_filelog (step_id, host_result_id, execute_count, batch, mode, task_key,
    task_hash, src_path, dest_host_id, dest_path, status, content, received_size,
    held_size, truncated, masked, mask_pending, mask_rule, mask_prefix, day)
SELECT r.step_id, r.id, 0, 0, 1, n || ' file ' || r.id,
    sha256((n || ' file ' || r.id)::bytea),
    '/srv/a/' || r.id % 1000, r.bk_host_id, '/srv/b/', 4, 'copied'::bytea, 6, 6, false,
    0, 0, '', '', r.day
FROM joblogs_hostresult r JOIN joblogs_stepinstance s ON s.id = r.step_id,
    generate_series(1, 2) n
WHERE s.step_type = 2 AND r.id % 5 < 3;

INSERT INTO joblogs_logread (at, who, app_code, channel, scope_type, scope_id,
    job_instance_id, step_instance_id, host_count, size)
SELECT to_timestamp(j.create_time / 1000), 'user' || n % 300, 'app' || n % 9,
    CASE WHEN n % 5000 = 1 THEN 'page.raw' ELSE 'api.batch_ip_log' END, 'biz',
    j.scope_id::text, j.job_instance_id, $first_step + n % 1000, 8, 20000
FROM generate_series(1, $reads) n JOIN joblogs_jobinstance j
    ON j.id = n::bigint * $jobs / $reads;

-- Each tenth run failed, in one of seven ways of its series.
INSERT INTO joblogs_failurerun (scope_id, series, key, at, step_id, attempt, status,
    exit_code, host_count, hosts)
SELECT j.scope_id, names.series,
    CASE WHEN j.status = 4
        THEN substring(sha256(names.series || int4send(j.id::int / 10 % 7)) FOR 16)
        ELSE '' END,
    s.start_time, s.id, 0, CASE WHEN j.status = 4 THEN 104 END,
    CASE WHEN j.status = 4 THEN 1 END, CASE WHEN j.status = 4 THEN 1 ELSE 0 END, ''
FROM joblogs_stepinstance s JOIN joblogs_jobinstance j ON j.id = s.job_id
CROSS JOIN LATERAL (
    SELECT substring(sha256(convert_to(j.name, 'UTF8') || '\x00' || convert_to(s.name, 'UTF8'))
        FOR 16) AS series
) names;

INSERT INTO joblogs_failureseen (scope_id, series, key, first_at, runs, hosts, last_at,
    last_step_id, last_job_instance_id, last_runs, last_hosts)
SELECT scope_id, series, key, min(at), count(*), '', max(at), max(step_id),
    max(j.job_instance_id), 1, ''
FROM joblogs_failurerun r JOIN joblogs_stepinstance s ON s.id = r.step_id
JOIN joblogs_jobinstance j USING (scope_id) WHERE r.key <> '' AND j.id = s.job_id
GROUP BY scope_id, series, key;

INSERT INTO joblogs_searchread (at, who, app_code, token, user_verified, channel, scopes, since,
    until, question, steps, read_steps, found_steps, size, searched)
SELECT to_timestamp(j.create_time / 1000), 'user' || n % 300, '', '', true,
    'page.search_history', 'biz:' || j.scope_id, j.day - 29, j.day, sha256(n::text::bytea), 2, 2,
    1, 20000, decode('$searched', 'hex')
FROM generate_series(1, $searches) n JOIN joblogs_jobinstance j
    ON j.id = n::bigint * $jobs / $searches;

DROP TABLE sample;

SELECT setval(pg_get_serial_sequence('joblogs_scope', 'id'), max(id)) FROM joblogs_scope;
SELECT setval(pg_get_serial_sequence('joblogs_jobinstance', 'id'), max(id)) FROM joblogs_jobinstance;
SELECT setval(pg_get_serial_sequence('joblogs_stepinstance', 'id'), max(id)) FROM joblogs_stepinstance;
SELECT setval(pg_get_serial_sequence('joblogs_host', 'id'), max(id)) FROM joblogs_host;
