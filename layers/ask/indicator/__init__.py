"""Indicators (指标): what is counted or measured over the city's records, by area and by column, now and day by day."""
