import socket

with socket.create_connection(("127.0.0.1", 8000)) as connection:
    connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
    print(b"".join(iter(lambda: connection.recv(4096), b"")).decode().split("\r\n\r\n")[1], end="")
