"""One endpoint."""

from django.urls import path

from . import views

urlpatterns = [path("batch", views.BatchLogs.as_view())]
