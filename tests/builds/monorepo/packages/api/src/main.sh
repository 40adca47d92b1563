echo from api of $SERVICE
