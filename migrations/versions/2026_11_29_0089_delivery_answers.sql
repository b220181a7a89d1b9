-- What an endpoint answered to a delivery, as far as it was read; deliveries of before have none.
ALTER TABLE event_deliveries ADD COLUMN answer VARCHAR;
