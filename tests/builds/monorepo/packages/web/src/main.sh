echo from web of $SERVICE
