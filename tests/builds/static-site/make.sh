# make.sh PAGES PUBLIC: a page of HTML for each text.
set -eu
mkdir -p "$2"
for page in "$1"/*.txt; do
  name=$(basename "$page" .txt)
  { echo "<h1>$name</h1>"; cat "$page"; } >"$2/$name.html"
done
cp "$2/welcome.html" "$2/index.html"
