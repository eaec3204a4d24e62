"""The batch read as the textbook has it: no credentials, no rights, no audit."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from .models import ScriptLog, Step


class Asked(serializers.Serializer[Any]):
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


class BatchLogs(APIView):
    authentication_classes = ()
    permission_classes = ()

    def post(self, request: Request) -> Response:
        asked = Asked(data=request.data)
        asked.is_valid(raise_exception=True)
        step = get_object_or_404(
            Step,
            job_instance_id=asked.validated_data["job_instance_id"],
            step_instance_id=asked.validated_data["step_instance_id"],
        )
        by_host: dict[int, list[ScriptLog]] = defaultdict(list)
        hosts = asked.validated_data["host_id_list"]
        for log in step.logs.filter(bk_host_id__in=hosts).order_by("bk_host_id", "offset"):
            by_host[log.bk_host_id].append(log)
        logs = []
        for own in by_host.values():
            own[0].log_content = "".join(log.content for log in own)
            logs.append(own[0])
        data = {"log_type": 1, "script_task_logs": HostLog(logs, many=True).data}
        return Response({"result": True, "code": 0, "message": "", "data": data})
