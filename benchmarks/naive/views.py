"""The batch read as the textbook has it."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework import permissions, serializers
from rest_framework.authentication import TokenAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from .models import Grant, LogRead, ScriptLog, Step


class Body(serializers.Serializer[Any]):
    job_instance_id = serializers.IntegerField()
    step_instance_id = serializers.IntegerField()
    host_id_list = serializers.ListField(child=serializers.IntegerField())


class HostLog(serializers.Serializer[Any]):
    bk_host_id = serializers.IntegerField()
    ip = serializers.CharField()
    bk_cloud_id = serializers.IntegerField()
    log_content = serializers.CharField()
    host_id = serializers.IntegerField(source="bk_host_id")
    ipv6 = serializers.CharField(allow_null=True)


class MayRead(permissions.BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        scope = request.data["bk_scope_id"]
        return Grant.objects.filter(user=request.user, bk_scope_id=scope).exists()


class Bare(APIView):
    """No credentials, no rights, no audit."""

    authentication_classes: Any = ()
    permission_classes: Any = ()

    def post(self, request: Request) -> Response:
        body = Body(data=request.data)
        body.is_valid(raise_exception=True)
        step = get_object_or_404(
            Step,
            job_instance_id=body.validated_data["job_instance_id"],
            step_instance_id=body.validated_data["step_instance_id"],
        )
        by_host: dict[int, list[ScriptLog]] = defaultdict(list)
        hosts = body.validated_data["host_id_list"]
        for log in step.logs.filter(bk_host_id__in=hosts).order_by("bk_host_id", "offset"):
            by_host[log.bk_host_id].append(log)
        logs = []
        for own in by_host.values():
            own[0].log_content = "".join(log.content for log in own)
            logs.append(own[0])
        self.note(request, step, len(logs))
        data = {"log_type": 1, "script_task_logs": HostLog(logs, many=True).data}
        return Response({"result": True, "code": 0, "message": "", "data": data})

    def note(self, request: Request, step: Step, hosts: int) -> None:
        pass


class BatchLogs(Bare):
    """With all three."""

    authentication_classes = (TokenAuthentication,)
    permission_classes = (permissions.IsAuthenticated, MayRead)

    def note(self, request: Request, step: Step, hosts: int) -> None:
        LogRead.objects.create(user=request.user, step=step, hosts=hosts)
