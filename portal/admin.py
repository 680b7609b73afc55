"""The admin of what other libraries brought: people in our look, the queue out of reach; and of
our own, what needs more than one app."""

from django.contrib import admin
from django.contrib.auth import admin as auth_admin
from django.contrib.auth.models import Group, User
from django_q.models import Failure, OrmQ, Schedule, Success
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from connectors.admin.recorded import RecordedAdmin
from portal.credentials import CredentialAdmin
from portal.upgrade import UpgradableActivationAdmin

__all__ = ["CredentialAdmin", "UpgradableActivationAdmin"]

# The recurring tasks are a table in code: one malformed row here would stop all of them.
for model in (Schedule, Success, Failure, OrmQ):
    if admin.site.is_registered(model):
        admin.site.unregister(model)

admin.site.unregister((User, Group))


@admin.register(User)
class UserAdmin(auth_admin.UserAdmin, RecordedAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class GroupAdmin(auth_admin.GroupAdmin, RecordedAdmin):
    pass
