"""POST / adds a visit, GET / tells how many there were by the database and by the cache, GET /health checks both."""
import json, os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg2, redis

password = open("/run/secrets/password").read()


def database():
    return psycopg2.connect(host=os.environ["DATABASE_HOST"], user="postgres", password=password, connect_timeout=5)


def cache():
    return redis.Redis(host=os.environ["CACHE_HOST"], socket_timeout=5)


def run(statement):
    connection = database()
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone() if cursor.description else None
    finally:
        connection.close()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer({"rows": run("SELECT count(*) FROM visits")[0], "hits": int(cache().get("hits") or 0)})

    def do_POST(self):
        run("INSERT INTO visits DEFAULT VALUES")
        self.answer({"hits": cache().incr("hits")})

    def answer(self, value):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


run("CREATE TABLE IF NOT EXISTS visits (id serial PRIMARY KEY)")
ThreadingHTTPServer(("0.0.0.0", 8000), Handler).serve_forever()
