import { Module } from '@nestjs/common';
import { PatientsController } from './patients.controller.js';
import { Wards } from './wards.js';

@Module({ controllers: [PatientsController], providers: [Wards] })
export class Hl7Module {}
