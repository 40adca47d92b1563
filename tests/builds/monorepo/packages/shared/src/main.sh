echo from shared of $SERVICE
