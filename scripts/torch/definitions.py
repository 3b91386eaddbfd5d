"""VGG16, ResNet-50, DenseNet-121 and GoogLeNet as PyTorch modules, with the module names of torchvision.

So a state_dict of torchvision's own models has the same names. `width` scales the number of filters (64 is the published
network), `size` is the image's side.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F


class VGG16(nn.Module):
    def __init__(self, width=64, size=224, classes=1000, units=4096):
        super().__init__()
        layers, channels = [], 3
        for factor, depth in ((1, 2), (2, 2), (4, 3), (8, 3), (8, 3)):
            for _ in range(depth):
                layers += [nn.Conv2d(channels, width * factor, 3, padding=1), nn.ReLU()]
                channels = width * factor
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        pixels = (size // 32) ** 2
        self.classifier = nn.Sequential(
            nn.Linear(channels * pixels, units), nn.ReLU(), nn.Dropout(),
            nn.Linear(units, units), nn.ReLU(), nn.Dropout(),
            nn.Linear(units, classes))

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


class Bottleneck(nn.Module):
    def __init__(self, inputs, width, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, 4 * width, 1, bias=False), nn.BatchNorm2d(4 * width)
        self.downsample = None
        if stride > 1 or inputs != 4 * width:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, 4 * width, 1, stride=stride, bias=False), nn.BatchNorm2d(4 * width))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet50(nn.Module):
    def __init__(self, width=64, size=224, classes=1000):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        channels = width
        for stage, depth in enumerate((3, 4, 6, 3)):
            blocks = []
            for i in range(depth):
                blocks.append(Bottleneck(channels, width << stage, 2 if stage > 0 and i == 0 else 1))
                channels = 4 * (width << stage)
            setattr(self, f'layer{stage + 1}', nn.Sequential(*blocks))
        self.fc = nn.Linear(channels, classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, stride=2, padding=1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))


class DenseLayer(nn.Module):
    def __init__(self, inputs, growth):
        super().__init__()
        self.norm1, self.conv1 = nn.BatchNorm2d(inputs), nn.Conv2d(inputs, 4 * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(4 * growth)
        self.conv2 = nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)

    def forward(self, x):
        y = self.conv2(F.relu(self.norm2(self.conv1(F.relu(self.norm1(x))))))
        return torch.cat([x, y], 1)


class Transition(nn.Module):
    def __init__(self, inputs):
        super().__init__()
        self.norm, self.conv = nn.BatchNorm2d(inputs), nn.Conv2d(inputs, inputs // 2, 1, bias=False)

    def forward(self, x):
        return F.avg_pool2d(self.conv(F.relu(self.norm(x))), 2)


class DenseNet121(nn.Module):
    def __init__(self, width=64, size=224, classes=1000):
        super().__init__()
        growth, channels = width // 2, width
        self.features = nn.Sequential()
        self.features.add_module('conv0', nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False))
        self.features.add_module('norm0', nn.BatchNorm2d(width))
        self.features.add_module('relu0', nn.ReLU())
        self.features.add_module('pool0', nn.MaxPool2d(3, stride=2, padding=1))
        depths = (6, 12, 24, 16)
        for i, depth in enumerate(depths):
            block = nn.Sequential()
            for layer in range(depth):
                block.add_module(f'denselayer{layer + 1}', DenseLayer(channels, growth))
                channels += growth
            self.features.add_module(f'denseblock{i + 1}', block)
            if i < len(depths) - 1:
                self.features.add_module(f'transition{i + 1}', Transition(channels))
                channels //= 2
        self.features.add_module('norm5', nn.BatchNorm2d(channels))
        self.classifier = nn.Linear(channels, classes)

    def forward(self, x):
        return self.classifier(F.relu(self.features(x)).mean((2, 3)))


class BasicConv(nn.Module):
    def __init__(self, inputs, outputs, size, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, size, stride=stride, padding=size // 2, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=0.001)

    def forward(self, x):
        return F.relu(self.bn(self.conv(x)))


class Inception(nn.Module):
    def __init__(self, inputs, columns):
        super().__init__()
        conv1x1, reduce3x3, conv3x3, reduce5x5, conv5x5, projection = columns
        self.branch1 = BasicConv(inputs, conv1x1, 1)
        self.branch2 = nn.Sequential(BasicConv(inputs, reduce3x3, 1), BasicConv(reduce3x3, conv3x3, 3))
        self.branch3 = nn.Sequential(BasicConv(inputs, reduce5x5, 1), BasicConv(reduce5x5, conv5x5, 3))
        self.branch4 = nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), BasicConv(inputs, projection, 1))

    def forward(self, x):
        return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], 1)


COLUMNS = {
    '3a': (64, 96, 128, 16, 32, 32), '3b': (128, 128, 192, 32, 96, 64),
    '4a': (192, 96, 208, 16, 48, 64), '4b': (160, 112, 224, 24, 64, 64), '4c': (128, 128, 256, 24, 64, 64),
    '4d': (112, 144, 288, 32, 64, 64), '4e': (256, 160, 320, 32, 128, 128),
    '5a': (256, 160, 320, 32, 128, 128), '5b': (384, 192, 384, 48, 128, 128),
}


class GoogLeNetBN(nn.Module):
    """Without the auxiliary heads, which inference does not use."""

    def __init__(self, width=64, size=224, classes=1000):
        super().__init__()
        scaled = lambda count: max(1, (2 * count * width + 64) // 128)  # noqa: E731
        self.conv1 = BasicConv(3, scaled(64), 7, 2)
        self.conv2 = BasicConv(scaled(64), scaled(64), 1)
        self.conv3 = BasicConv(scaled(64), scaled(192), 3)
        channels = scaled(192)
        for name, columns in COLUMNS.items():
            columns = [scaled(count) for count in columns]
            setattr(self, 'inception' + name, Inception(channels, columns))
            channels = columns[0] + columns[2] + columns[4] + columns[5]
        self.fc = nn.Linear(channels, classes)

    def forward(self, x):
        x = F.max_pool2d(self.conv1(x), 3, stride=2, ceil_mode=True)
        x = F.max_pool2d(self.conv3(self.conv2(x)), 3, stride=2, ceil_mode=True)
        for name in COLUMNS:
            x = getattr(self, 'inception' + name)(x)
            if name == '3b':
                x = F.max_pool2d(x, 3, stride=2, ceil_mode=True)
            if name == '4e':
                x = F.max_pool2d(x, 2, stride=2, ceil_mode=True)
        return self.fc(x.mean((2, 3)))


NETWORKS = {'vgg16': VGG16, 'resNet50': ResNet50, 'denseNet121': DenseNet121, 'googLeNetBN': GoogLeNetBN}
