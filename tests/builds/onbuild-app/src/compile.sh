echo "compiled for $1"
