<?php
echo "php in ", getenv("APP_ENV"), " at ", __DIR__, "\n";
