from django.apps import AppConfig


class EventopsConfig(AppConfig):
    name = "eventops"
