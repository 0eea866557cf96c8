from django.contrib import admin
from django.urls import path
from views import predictions

urlpatterns = [path("admin/", admin.site.urls), path("predictions/<int:count>", predictions)]
