"""One endpoint, with and without what it should ask first."""

from django.urls import path

from . import views

urlpatterns = [
    path("batch", views.BatchLogs.as_view()),
    path("bare", views.Bare.as_view()),
]
