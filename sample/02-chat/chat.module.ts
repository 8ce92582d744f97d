import { Module } from '@nestjs/common';
import { ChatController } from './chat.controller.js';
import { ChatRules } from './chat-rules.js';
import { NicknameNegotiator } from './nickname-negotiator.js';
import { Room } from './room.js';

@Module({ controllers: [ChatController], providers: [ChatRules, NicknameNegotiator, Room] })
export class ChatModule {}
