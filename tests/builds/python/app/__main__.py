"""Answers HTTP with the standard library's socket alone, which python3-minimal has."""
import os
import socket

listener = socket.create_server(("", 8000))
try:
    while True:
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            body = f"python, user {os.getuid()}, in {os.getcwd()}\n"
            connection.sendall(f"HTTP/1.0 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
except KeyboardInterrupt:
    print("interrupted")
