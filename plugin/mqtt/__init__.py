"""Home Assistant through MQTT (https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery).

`topics`, `messages`: what is told, as topics and bytes. `broker`: one connection. `supervisor`: which broker, where
Kinfolk is an add-on. `link`: keeps the connection, tells what changed, hears what is asked.
"""
