from django.http import HttpRequest, JsonResponse

from classifiers.models import MLModel
from classifiers.serializers import PredictionSerializer
from classifiers.utils import get_predictions


def predictions(request: HttpRequest, count: int) -> JsonResponse:
    model = MLModel.objects.first()
    found = get_predictions(model, count, conv_idx=[0])
    return JsonResponse(PredictionSerializer(found, many=True).data, safe=False)
