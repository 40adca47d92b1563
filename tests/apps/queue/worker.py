"""Takes numbers from the list `jobs` and writes their squares down; a job is out of the list `doing` once that is done."""
import sys, time

import psycopg2, redis

password = open("/run/secrets/password").read()


def connect():
    return psycopg2.connect(host="db", user="postgres", password=password, connect_timeout=60)


def run(statement, values=()):
    connection = connect()
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement, values)
    finally:
        connection.close()


def work():
    queue = redis.Redis(host="queue", socket_timeout=30)
    # what a worker that went away had begun
    while queue.rpoplpush("doing", "jobs"):
        pass
    while True:
        job = queue.brpoplpush("jobs", "doing", timeout=5)
        if job is None:
            continue
        number = int(job)
        run("INSERT INTO squares VALUES (%s, %s) ON CONFLICT DO NOTHING", (number, number * number))
        queue.lrem("doing", 0, job)


if sys.argv[1:] == ["schema"]:
    run("CREATE TABLE IF NOT EXISTS squares (n bigint PRIMARY KEY, square bigint NOT NULL)")
else:
    while True:
        try:
            work()
        except (redis.RedisError, psycopg2.Error, OSError) as error:
            print("again in a moment:", error, flush=True)
            time.sleep(0.5)
