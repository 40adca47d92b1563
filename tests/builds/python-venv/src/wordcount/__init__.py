import collections
import sys


def main():
    counts = collections.Counter(sys.argv[1:])
    print(" ".join(f"{word}={count}" for word, count in sorted(counts.items())), sys.prefix)
