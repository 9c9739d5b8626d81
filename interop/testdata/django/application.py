"""An application as the users of django-casclient write it."""

import os
from wsgiref.handlers import CGIHandler

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path

DATABASE = os.path.join(os.environ['APP_FOLDER'], 'people.sqlite')
FRESH = not os.path.exists(DATABASE)

settings.configure(
    ALLOWED_HOSTS=['localhost'],
    SECRET_KEY='the tests have no secret',
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=['django.contrib.auth', 'django.contrib.contenttypes', 'cas'],
    MIDDLEWARE=[
        'django.contrib.sessions.middleware.SessionMiddleware',
        'django.contrib.auth.middleware.AuthenticationMiddleware',
        'cas.middleware.CASMiddleware',
    ],
    AUTHENTICATION_BACKENDS=['cas.backends.CASBackend'],
    DATABASES={'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': DATABASE}},
    DEFAULT_AUTO_FIELD='django.db.models.AutoField',
    SESSION_ENGINE='django.contrib.sessions.backends.signed_cookies',
    SESSION_COOKIE_NAME='django' + os.environ['SERVER_PORT'],
    LOGIN_URL='/login',
    CAS_SERVER_URL=os.environ['APP_CAS'] + '/',
    CAS_VERSION=os.environ['APP_PROTOCOL'],
)
django.setup()

from django.contrib.auth.decorators import login_required  # noqa: E402, needs the settings
from cas import views  # noqa: E402, needs the settings


@login_required
def home(request):
    return JsonResponse({'user': request.user.username})


urlpatterns = [
    path('', home),
    path('login', views.login),
    path('logout', views.logout),
]

if FRESH:
    call_command('migrate', run_syncdb=True, verbosity=0)
CGIHandler().run(get_wsgi_application())
